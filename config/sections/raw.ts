import { z } from 'zod';
import { list } from '../kinds.ts';

export const rawSettings = {
  paths: list({
    env: 'YAMABIKO_RAW_PATHS',
    default: ['/', '/ws'],
    item: z.string().regex(/^\/(?!socket\.io(\/|$))[^\s?#]*$/),
    allowed: 'a list of paths that begin with `/`, none of them `/socket.io`',
    doc: 'Paths at which plain WebSocket clients connect. Any other upgrade is refused.',
  }),
} as const;
