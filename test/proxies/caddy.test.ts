import { proxyStories } from './proxy-stories.ts';
import { caddy } from './support/caddy.ts';

proxyStories(caddy);
