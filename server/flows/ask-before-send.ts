import type { Subscription } from '../connection/subscription.ts';
import { isRejection, type Rejection, reject } from '../domain/outcome.ts';
import type { AskedMessage, AskOutcome } from '../webhooks/asker.ts';
import type { Parts } from './parts.ts';

/** Asks Laravel; null where no definition asks. */
export type Ask = ((message: AskedMessage) => Promise<AskOutcome>) | null;

interface Shaped {
  readonly data: string;
  readonly userId: string | null;
}

/**
 * Where the channel's definition says `ask`, Laravel decides of a message before anybody sees it. Whatever keeps it from
 * answering refuses the message: nothing is let through unasked.
 * @param dataText as the client sent it; `shaped` as it goes out
 * @returns what goes out
 */
export async function askBeforeSend(
  parts: Parts,
  subscription: Subscription,
  dataText: string,
  shaped: Shaped,
): Promise<Shaped | Rejection> {
  const { connection, channel, member, wire } = subscription;
  if (!parts.channels.of(channel.base).definition.ask) return shaped;
  if (parts.ask === null || member === null) return reject('unavailable', 'the application cannot be asked');
  const { name } = JSON.parse(member.user) as { name: string };
  const { base } = channel;
  const { socketId } = connection;
  const outcome = await parts.ask({
    channel: base,
    userId: member.userId,
    userName: name,
    socketId,
    data: dataText,
  });
  // Ended, or expired, while Laravel thought: who may not send any more does not, whatever it said.
  if (connection.subscriptions.get(wire) !== subscription)
    return reject('not_subscribed', 'the subscription ended before the application answered');
  switch (outcome.type) {
    case 'allowed':
      return outcome.data === null ? shaped : replaced(parts, base, outcome.data, shaped);
    case 'denied':
      return { ...reject('denied', outcome.message), ...(outcome.code !== null && { reason: outcome.code }) };
    case 'unavailable':
      parts.log.warn({ channel: base, reason: outcome.reason }, 'Laravel could not be asked before a send');
      return reject('unavailable', 'the application cannot be asked now; nothing was sent');
    case 'senseless':
      parts.log.warn(
        { channel: base, reason: outcome.reason },
        'Laravel gave no answer that counts before a send',
      );
      return reject('ask_error', 'the application gave no answer that counts; nothing was sent');
    default:
      return outcome satisfies never;
  }
}

/** Laravel's own data goes out as it wrote it: an id from its database is in no client's shape. Only what the definition demands must be there. */
function replaced(parts: Parts, base: string, data: string, { userId }: Shaped): Shaped | Rejection {
  const checked = parts.channels.shape(base, data);
  if (!isRejection(checked)) return { data, userId: checked.userId ?? userId };
  parts.log.warn(
    { channel: base, fault: checked.message },
    'Laravel replaced a message by data of the wrong shape',
  );
  return reject(
    'ask_error',
    'the application replaced the data by some of the wrong shape; nothing was sent',
  );
}
