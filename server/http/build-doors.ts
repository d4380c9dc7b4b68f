import type { TickCork } from '../connection/tick-cork.ts';
import { admitNewcomer } from '../flows/admit-newcomer.ts';
import type { Doors } from '../flows/doors.ts';
import type { Parts } from '../flows/parts.ts';
import { createClientAddress, createCountedAddress } from './client-address.ts';
import { createOriginPolicy } from './origin-policy.ts';

interface DoorSettings {
  readonly origins: readonly string[];
  readonly trustedProxies: readonly string[];
}

/** What every protocol is handed for the clients that come to it by HTTP. */
export function buildDoors(parts: Parts, settings: DoorSettings, tickCork: TickCork): Doors {
  const { origins: listed, trustedProxies } = settings;
  const origins = createOriginPolicy(listed);
  const addressOf = createClientAddress(trustedProxies);
  const countedAddressOf = createCountedAddress(trustedProxies);
  return {
    handshakeOf: (request) => ({
      address: addressOf(request),
      cookie: request.headers.cookie,
      userAgent: request.headers['user-agent'],
    }),
    admit: (request) => admitNewcomer(parts, countedAddressOf(request)),
    allowsOrigin: ({ headers }) => origins.allows(headers.origin, headers.host),
    corsHeaders: ({ headers }) => origins.corsHeaders(headers.origin, headers.host),
    preflightHeaders: ({ headers }) =>
      origins.preflightHeaders(headers.origin, headers.host, headers['access-control-request-headers']),
    tickCork,
  };
}
