import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { reservedNames } from '../config/reserved-names.ts';
import type { Config } from '../config/settings.ts';
import { readVersion } from '../config/version.ts';
import { buildAccess } from './access/build-access.ts';
import { deploymentMarks } from './access/deployment-marks.ts';
import { createTokenSigner } from './access/token-signer.ts';
import { buildBroker } from './broker/build-broker.ts';
import type { Bus } from './broker/bus/bus.ts';
import type { PeerConnections } from './broker/peers/peer-connections.ts';
import { buildSilence } from './build-silence.ts';
import { ChannelDefinitions } from './channels/channel-definitions.ts';
import { Connections } from './connection/connections.ts';
import { HandshakeRates } from './connection/handshake-rates.ts';
import { Places } from './connection/places.ts';
import { TickCork } from './connection/tick-cork.ts';
import { AnswerQuery } from './flows/answer-query.ts';
import { buildTelling, namesOfRooms } from './flows/build-telling.ts';
import { describeNode } from './flows/describe-node.ts';
import { drain } from './flows/drain.ts';
import { DropLog } from './flows/drop-log.ts';
import { endIdle } from './flows/end-idle.ts';
import { endUser } from './flows/end-user.ts';
import { listenToBus, readiness } from './flows/listen-to-bus.ts';
import type { Answers } from './flows/node-questions.ts';
import { NO_PEERS, NodeOperations, type Peers } from './flows/operate-nodes.ts';
import type { Parts } from './flows/parts.ts';
import { PendingSends } from './flows/pending-sends.ts';
import { type EventToPublish, publishEvent } from './flows/publish-event.ts';
import { RecoveryLog } from './flows/recovery-log.ts';
import { PositionRefresh } from './flows/refresh-positions.ts';
import { OutageResync } from './flows/resync-after-outage.ts';
import { listsMembers, roomOf } from './flows/room-routing.ts';
import { stopInTurn } from './flows/stop-in-turn.ts';
import { requireAppKey } from './http/app-key.ts';
import { buildDoors } from './http/build-doors.ts';
import type { Mount } from './http/http-app.ts';
import { createHttpServer } from './http/http-server.ts';
import { createOperationsApi } from './http/operations-api.ts';
import type { ProtocolMount } from './http/protocol-mount.ts';
import { createWebhooksApi } from './http/webhooks-api.ts';
import { Hub } from './hub/hub.ts';
import { RoomViews } from './hub/room-views.ts';
import type { Logger } from './logger/logger.ts';
import { Metrics } from './metrics/metrics.ts';
import { createDemo } from './pages/demo/demo-router.ts';
import { clientScripts } from './protocols/echo/client-script.ts';
import { EchoProtocol } from './protocols/echo/echo-protocol.ts';
import { createEchoHttpApi } from './protocols/echo/http-api.ts';
import { AdapterPeers } from './protocols/echo/peers.ts';
import { RawProtocol } from './protocols/raw/raw-protocol.ts';
import { buildAsker, buildWebhooks, tellingOf } from './webhooks/build-webhooks.ts';
import type { YamabikoServer } from './yamabiko-server.ts';

/** Builds and wires every part. The only file that knows them all. */
export function buildServer(config: Config, log: Logger): YamabikoServer {
  const [nodeId, stopped] = [randomUUID(), new AbortController()];
  const reserved = reservedNames(config);
  const channels = new ChannelDefinitions(config.channels.definitions);
  const recovery = { ...config.recovery, marks: deploymentMarks(config) };
  const [telling, asker] = [tellingOf(config.webhooks), buildAsker(config.webhooks)];
  const broker = buildBroker({ ...config.redis, ...config.presence, recovery, telling }, nodeId, log, {
    rosterFault: (fault) => metrics.rosterFault(fault),
    dropped: (source, reason) => metrics.dropped(source, reason),
    historyKept: (kept) => metrics.historyKept(kept),
  });
  const metrics = new Metrics({
    seatCount: () => broker.roster.seatCount(),
    busLagMs: () => broker.bus.lagMs(),
    laravel: () => access.laravel(),
    processMetrics: true,
  });
  const hub = new Hub({
    delivered: metrics.delivered,
    faulted: (protocol, err) =>
      log.error({ err, protocol, stage: 'deliver' }, 'a protocol failed to deliver'),
  });
  const clockToleranceMs = config.jwt.clockToleranceSeconds * 1000;
  const access = buildAccess({
    token: { ...config.jwt, clockToleranceMs },
    reserved,
    laravel: config.auth,
    // In development mode the demo stands in for Laravel, at a port that is known only once we listen.
    defaultAuthUrl: () => (config.development ? `${url}/demo/auth` : null),
    log,
    onRequest: metrics.authRequest,
    onCached: metrics.authCached,
  });
  const silence = buildSilence(config, { hub, meters: metrics, log });
  const parts: Parts = {
    reserved,
    channels,
    access: silence.watching(access),
    bus: broker.bus,
    roster: broker.roster,
    hub,
    views: new RoomViews(),
    connections: new Connections(),
    places: new Places(config.connection),
    handshakes: new HandshakeRates(config.connection),
    sends: new PendingSends(nodeId),
    drops: new DropLog(log, metrics),
    ask: asker === null ? null : (message) => asker.ask(message),
    ...buildTelling({
      events: config.webhooks.events,
      occupancy: telling?.occupancy === true,
      outbox: broker.outbox,
      roster: broker.roster,
      meters: metrics,
      log,
    }),
    recoveries: new RecoveryLog(log, metrics),
    log,
    meters: metrics,
    settings: {
      commandTimeoutMs: config.redis.commandTimeoutMs,
      nodeTtlMs: config.redis.nodeTtlMs,
      systemUserName: config.channels.systemUserName,
      clockToleranceMs,
      maxSubscriptions: config.connection.maxSubscriptions,
      authCost: config.connection.authCost,
      maxEventBytes: config.connection.maxEventBytes,
      maxMemberBytes: config.presence.maxMemberBytes,
      history: config.recovery.enabled ? config.recovery : null,
    },
  };
  const webhooks = buildWebhooks({
    config: config.webhooks,
    outbox: broker.outbox,
    nodeTtlMs: config.redis.nodeTtlMs,
    names: namesOfRooms(channels),
    log,
    meters: metrics,
  });
  const [resync, positions] = [new OutageResync(parts), new PositionRefresh(parts)];
  const stopEndingIdle = endIdle(parts.connections, config.connection.firstSubscribeMs);
  listenToBus(parts, resync);

  const doors = buildDoors(parts, config.http, new TickCork());
  const connection = config.connection;
  const raw = new RawProtocol(parts, { ...connection, paths: config.raw.paths, connection }, doors);
  const echo = new EchoProtocol(parts, { ...connection, connection }, doors);
  const self = { id: nodeId, version: readVersion() };
  const answers: Answers = {
    counts: () => hub.counts(),
    endUser: (end) => endUser(parts, end),
    node: () => describeNode(parts, { ...self, ready: readiness(parts, resync).ready }),
  };
  const peers = broker.peers === null ? NO_PEERS : buildPeers(config, echo, broker.peers, answers);
  const queries = new AnswerQuery({
    hub,
    peers,
    roster: broker.roster,
    roomOf: (channel) =>
      listsMembers(channel, 'presence', channels) ? roomOf(channel, 'presence', channels) : null,
  });
  const guard = requireAppKey(config.http.apps);
  const echoApi = createEchoHttpApi({
    guard,
    queries,
    publish: (event: EventToPublish) => publishEvent(broker.bus, event),
    reserved,
    publishes: config.echo.httpEvents,
    // What would be dropped by each node is refused to who publishes it.
    bodyLimitBytes: Math.min(config.http.maxBodyBytes, config.connection.maxEventBytes),
  });
  const protocols: readonly ProtocolMount[] = [...clientScripts(config.echo.clientScript), echo, raw];
  const operations = createOperationsApi({ guard, operations: new NodeOperations(answers, peers), reserved });
  const mounts: Mount[] = [
    { path: '/', router: echoApi },
    { path: '/', router: operations },
    { path: '/', router: createWebhooksApi({ guard, outbox: broker.outbox }) },
  ];
  if (config.development)
    mounts.push({ path: '/demo', router: buildDemo(config, broker.bus, stopped.signal, log) });
  const http = createHttpServer({
    mounts,
    protocols,
    allowsOrigin: doors.allowsOrigin,
    readiness: () => readiness(parts, resync),
    metrics,
    metricsKey: config.http.metricsKey,
    settings: { ...config.server, ...config.http, headersTimeoutMs: connection.handshakeTimeoutMs },
    refused: metrics.refused,
    log,
  });

  let url = '';
  let stopping: Promise<void> | null = null;
  return {
    async start() {
      await broker.start();
      webhooks?.start();
      const { address, family, port } = await http.start();
      url = `${http.scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
      return { url };
    },
    stop() {
      stopping ??= stop();
      return stopping;
    },
    publish: (channel, payload) => broker.bus.publish(channel, payload),
    snapshot: () => ({
      ...metrics.snapshot(),
      places: parts.places.taken,
      views: parts.views.rooms().length,
      pendingSends: parts.sends.size,
      channels: hub.channelCount,
    }),
  };

  // The order matters: clients are told while the bus still carries their leaving to the other nodes.
  async function stop(): Promise<void> {
    stopped.abort();
    stopEndingIdle();
    silence.stop();
    const deadlineMs = Date.now() + config.server.drainMs;
    const steps: Parameters<typeof stopInTurn>[0] = [
      ['connections', () => drain(parts, config.server.drainMs)],
      ['resync', () => resync.stop()],
      ['positions', () => positions.stop()],
      ...protocols.map((protocol) => [protocol.name, () => protocol.close?.()] as const),
      ['http', () => http.stop(Math.max(0, deadlineMs - Date.now()))],
      ['access', () => access.stop()],
      ['webhooks', () => webhooks?.stop()],
      ['asker', () => asker?.stop()],
      ['broker', () => broker.stop()],
    ];
    await stopInTurn(steps, log);
  }
}

/** How long another node may take to answer a question. */
const PEER_TIMEOUT_MS = 1_500;

function buildPeers(config: Config, echo: EchoProtocol, clients: PeerConnections, answers: Answers): Peers {
  const key = `${config.redis.prefix}#yamabiko:peers`;
  return new AdapterPeers(echo.io, { clients, key, timeoutMs: PEER_TIMEOUT_MS, answers });
}

function buildDemo({ jwt }: Config, bus: Bus, signal: AbortSignal, log: Logger) {
  return createDemo({
    mintToken: createTokenSigner(jwt.secrets[0] ?? ''),
    publish: (channel, payload) => bus.publish(channel, payload),
    assetsDir: fileURLToPath(new URL('./pages/demo/public', import.meta.url)),
    signal,
    logger: log,
  });
}
