import './demo.css';
import { find } from './elements.ts';
import { openFeeds } from './laravel/feeds.ts';
import { createJobBars } from './laravel/job-bars.ts';
import { wireLaravelButtons } from './laravel/laravel-buttons.ts';
import { createTweetFeed } from './laravel/tweet-feed.ts';
import { openConnectorLink } from './room/connector-link.ts';
import { openEchoLink } from './room/echo-link.ts';
import { createOrderRibbon } from './room/order-ribbon.ts';
import { createPane, type Pane } from './room/pane.ts';
import { openRawLink } from './room/raw-link.ts';
import type { OpenRoom } from './room/room-link.ts';
import { type DemoUser, partyOfThisTab } from './users.ts';

const party = partyOfThisTab();
const colours = new Map<number | string, string>([
  [0, 'laravel'],
  [party.raw.id, 'raw'],
  [party.echo.id, 'echo'],
  [party.connector.id, 'connector'],
]);
const colourOf = (id: number | string): string => colours.get(id) ?? 'other';

const ribbon = createOrderRibbon(find(document, '#one-order', HTMLElement), ['A', 'B', 'C'], colourOf);
const echoes = find(document, '[data-echoes]', SVGElement);

const ways: readonly [string, DemoUser, OpenRoom][] = [
  ['raw', party.raw, openRawLink],
  ['echo', party.echo, openEchoLink],
  ['connector', party.connector, openConnectorLink],
];
const body = find(document, '#pane-body', HTMLTemplateElement);
const panes: Pane[] = ways.map(([name, me, open], index) => {
  const root = find(document, `[data-pane="${name}"]`, HTMLElement);
  root.append(body.content.cloneNode(true));
  return createPane({
    root,
    me,
    open,
    colourOf,
    onMessage: (sender, text) => {
      ribbon.record(index, { senderId: sender.id, senderName: sender.name, text });
      if (index === 0) letTheMountainAnswer(colourOf(sender.id));
    },
  });
});

const laravel = find(document, '#laravel', HTMLElement);
wireLaravelButtons(laravel, () => panes[1]?.socketId());
openFeeds(party.connector, {
  tweet: createTweetFeed(find(laravel, '[data-tweets]', HTMLElement)),
  progress: createJobBars(find(laravel, '[data-jobs]', HTMLElement)),
  subscribed: (channel) => {
    find(laravel, `[data-feed="${channel}"]`, HTMLElement).dataset.subscribed = 'true';
  },
  trouble: (text) => {
    find(laravel, '[data-laravel-trouble]', HTMLElement).textContent = text;
  },
});

find(document, '[data-mountain]', HTMLElement).textContent = `Mt. ${party.mountain}`;
find(document, '[data-call]', HTMLButtonElement).addEventListener('click', () => {
  for (const pane of panes) void pane.say('Yahho!');
});

/** Rings of sound in the sender's colour, once for each message. */
function letTheMountainAnswer(colour: string): void {
  echoes.dataset.colour = colour;
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  [...echoes.children].forEach((ring, index) => {
    ring.animate([{ opacity: 0 }, { opacity: 1, offset: 0.3 }, {}], { duration: 900, delay: index * 130 });
  });
}
