import type { Publication } from './target.ts';

/** What Laravel's `redis` broadcaster publishes. */
export function laravelPublication(channel: string, data: string): Publication {
  return {
    channel: `laravel_database_${channel}`,
    payload: `{"event":"bench","data":${data},"socket":null}`,
  };
}
