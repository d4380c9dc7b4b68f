import { proxyStories } from './proxy-stories.ts';
import { nginx } from './support/nginx.ts';

proxyStories(nginx);
