import type { YamabikoChannel, YamabikoPrivateChannel } from '../../echo-connector/src/index.ts';
import { ConnectorClient, type ConnectorClientOptions } from '../support/connector-client.ts';
import type { RecoveryStage } from './recovery-stage.ts';

/**
 * A page of user 7, grace, with our connector.
 * @param former that was loaded anew
 */
export function connectorPage(
  stage: RecoveryStage,
  options: Partial<ConnectorClientOptions> = {},
  former?: ConnectorClient,
): Promise<ConnectorClient> {
  const more = { bearerToken: '7:grace', ...options.options };
  const connect = (url: string) =>
    ConnectorClient.open({ url, token: () => null, ...options, options: more });
  return stage.open(connect, former);
}

type Channel = YamabikoChannel | YamabikoPrivateChannel;

/** The numbers of the events that it hears from now on. */
export function numbersOn(channel: Channel, numbers: number[] = []): number[] {
  channel.listen<{ n: number }>('.counted', ({ n }) => numbers.push(n));
  return numbers;
}

export function subscribed(channel: Channel): Promise<void> {
  return new Promise((resolve) => channel.subscribed(resolve));
}
