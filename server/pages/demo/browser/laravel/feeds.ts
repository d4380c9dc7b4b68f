import Echo from 'laravel-echo';
import { YamabikoConnector, type YamabikoEcho } from 'yamabiko-echo-connector';
import { fetchToken } from '../demo-api.ts';
import type { DemoUser } from '../users.ts';
import type { Progress } from './job-bars.ts';
import type { Tweet } from './tweet-feed.ts';

export interface FeedEvents {
  tweet(tweet: Tweet): void;
  progress(progress: Progress): void;
  /** From now on this channel's messages arrive. */
  subscribed(channel: string): void;
  trouble(text: string): void;
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
  const open = (channel: string) =>
    echo
      .channel(channel)
      .subscribed(() => events.subscribed(channel))
      .error(({ code, message }) => events.trouble(`${channel}: ${code}, ${message}`));
  open('tweet:demo').onMessage<{ tweet: Tweet }>(({ data }) => events.tweet(data.tweet));
  open('progress:demo').onMessage<{ info: Progress }>(({ data }) => events.progress(data.info));
}
