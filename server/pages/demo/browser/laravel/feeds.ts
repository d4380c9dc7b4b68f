import Echo from 'laravel-echo';
import { YamabikoConnector, type YamabikoEcho } from 'yamabiko-echo-connector';
import { fetchToken } from '../demo-api.ts';
import type { DemoUser } from '../users.ts';
import type { Progress } from './job-bars.ts';
import type { Tweet } from './tweet-feed.ts';

export interface FeedEvents {
  tweet(tweet: Tweet): void;
  progress(progress: Progress): void;
}

/**
 * Two more channels that only Laravel writes to, on one connection of its own: they go on while a pane is
 * disconnected.
 */
export function openFeeds(reader: DemoUser, events: FeedEvents): void {
  const echo: YamabikoEcho = new Echo<'function'>({
    broadcaster: YamabikoConnector,
    host: location.origin,
    token: (channel: string) => fetchToken(channel, reader),
  });
  echo.channel('tweet:demo').onMessage<{ tweet: Tweet }>(({ data }) => events.tweet(data.tweet));
  echo.channel('progress:demo').onMessage<{ info: Progress }>(({ data }) => events.progress(data.info));
}
