import { messageOf, type Publication, publish, startJob } from '../demo-api.ts';
import { find } from '../elements.ts';

const TWEETS = [
  'Called from the ridge this morning. Three valleys answered.',
  'Fog below, sun above, coffee in between.',
  'One event in Redis, every client in the room. Nobody waits.',
  'The echo came back before I had closed my mouth.',
  'Snow on the north face. The hut keeper says: listen.',
];
const AUTHORS = [
  { id: 21, name: 'Hut keeper' },
  { id: 22, name: 'Ridge walker' },
  { id: 23, name: 'Bell ringer' },
];

interface Action {
  /** The line of PHP that this button stands for. */
  readonly php: string;
  run(): Promise<Publication>;
}

/** Buttons that write to the bus what Laravel would write, and show it word for word. */
export function wireLaravelButtons(root: HTMLElement, socketIdOfB: () => string | undefined): void {
  const php = find(root, '[data-php]', HTMLElement);
  const wire = find(root, '[data-wire]', HTMLElement);
  const trouble = find(root, '[data-laravel-trouble]', HTMLElement);
  const toOthers = find(root, '[data-to-others]', HTMLInputElement);
  let tweets = 0;

  const event = (kind: 'public' | 'private' | 'presence'): Action => ({
    php: `broadcast(new OrderShipped($order))${toOthers.checked ? '->toOthers()' : ''};`,
    run: () => {
      const socketId = socketIdOfB();
      return publish(
        'event',
        { kind, toOthers: toOthers.checked },
        socketId ? { 'X-Socket-ID': socketId } : {},
      );
    },
  });
  const actions: Record<string, () => Action> = {
    say: () => ({
      php: "Redis::publish('broadcast', json_encode(['channel' => 'chat:demo', 'data' => $data, 'type' => 'message']));",
      run: () => publish('chat', { message: 'The summit hut is open.', name: 'Laravel' }),
    }),
    'event-public': () => event('public'),
    'event-private': () => event('private'),
    'event-presence': () => event('presence'),
    tweet: () => ({
      php: "Redis::publish('broadcast', json_encode(['channel' => 'tweet:demo', 'data' => ['tweet' => $tweet]]));",
      run: () => {
        const n = tweets++;
        return publish('tweet', { content: TWEETS[n % TWEETS.length], user: AUTHORS[n % AUTHORS.length] });
      },
    }),
    job: () => ({ php: 'SampleJob::dispatch();', run: startJob }),
  };

  const press = async ({ php: line, run }: Action): Promise<void> => {
    try {
      const { channel, payload } = await run();
      php.textContent = line;
      wire.textContent = `PUBLISH <prefix>${channel}\n${payload}`;
      trouble.textContent = '';
    } catch (error) {
      trouble.textContent = messageOf(error);
    }
  };

  for (const button of root.querySelectorAll<HTMLButtonElement>('[data-action]')) {
    const action = actions[button.dataset.action ?? ''];
    if (action !== undefined) button.addEventListener('click', () => void press(action()));
  }
}
