import { make } from '../elements.ts';

export interface Tweet {
  readonly id: number;
  readonly content: string;
  /** ISO 8601. */
  readonly created_at: string;
  readonly user: { readonly id: number; readonly name: string };
}

const MAX_TWEETS = 20;

/** The newest tweet first. */
export function createTweetFeed(list: HTMLElement): (tweet: Tweet) => void {
  return ({ content, created_at: createdAt, user }) => {
    const time = make('time', 'tweet-time', new Date(createdAt).toLocaleTimeString());
    time.dateTime = createdAt;
    const head = make('p', 'tweet-head', make('strong', 'tweet-name', user.name), time);
    const avatar = make('span', 'tweet-avatar', user.name.slice(0, 1));
    avatar.ariaHidden = 'true';
    const body = make('div', 'tweet-body', head, make('p', 'tweet-content', content));
    list.prepend(make('li', 'tweet', avatar, body));
    while (list.childElementCount > MAX_TWEETS) list.lastElementChild?.remove();
  };
}
