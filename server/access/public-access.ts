import type { Grant } from '../domain/subscription.ts';
import type { Access, AccessQuestion } from './access.ts';

/** A public name is open to all: nobody is asked, nobody is named (protocol.md section 1). */
export class PublicAccess implements Access {
  async decide({ channel }: AccessQuestion): Promise<Grant | null> {
    if (channel.kind !== 'public') return null;
    return { ok: true, kind: 'public', channel, by: 'public', user: null, expiresAtMs: null };
  }
}
