import type { Config } from '../../config/settings.ts';
import { CommandError } from './command-error.ts';
import { httpApi } from './http-api-client.ts';

export interface WebhooksOptions {
  readonly url?: string;
  readonly json?: boolean;
  /** True: all that was refused; a text: the event with that id. */
  readonly replay?: string | true;
}

interface Refused {
  readonly id: string;
  readonly time_ms: number;
  readonly reason: string;
  readonly what: string;
  readonly where: string;
}

/** What Laravel has not been told, or telling it again. @throws CommandError */
export async function webhooks({ url, json, replay }: WebhooksOptions, config: Config): Promise<string> {
  const api = httpApi(config, url);
  if (replay !== undefined) {
    const query = replay === true ? '' : `?id=${encodeURIComponent(replay)}`;
    const { events } = (await api.ask('POST', `/webhooks/replay${query}`)) as { events?: number };
    if (events === 0 && replay !== true) throw new CommandError(`no refused event has the id ${replay}`);
    return json === true ? `${JSON.stringify({ events })}\n` : `${events} events will be told again\n`;
  }
  const answer = (await api.ask('GET', '/webhooks')) as {
    waiting: number;
    refused: number;
    events: readonly Refused[];
  };
  if (json === true) return `${JSON.stringify(answer, null, 2)}\n`;
  const lines = answer.events.map(
    ({ id, time_ms, reason, what, where }) =>
      `${id}  ${new Date(time_ms).toISOString()}  ${what} ${where}  ${reason}`,
  );
  return [`${answer.waiting} wait, ${answer.refused} were refused for good`, ...lines, ''].join('\n');
}
