import { z } from 'zod';
import { setting, text } from '../kinds.ts';

/** What a channel name, parameters apart, may do (protocol.md section 3). What is left out keeps its default. */
const definition = z.strictObject({
  /** Whether clients may send; default false. */
  clientSend: z.boolean().exactOptional(),
  /** Whether Laravel is asked before a client's message is sent; default false. */
  ask: z.boolean().exactOptional(),
  /** Whether users are shown and announced; default true. */
  users: z.boolean().exactOptional(),
  /** Whether Echo's private-X and presence-X belong to the room; default true. */
  echo: z.boolean().exactOptional(),
  /** JSON Schema of `data`; null, the default: any object. */
  schema: z.record(z.string(), z.unknown()).nullable().exactOptional(),
  /** Fields of `data` that receivers get; null, the default: all, byte for byte. */
  keep: z.array(z.string().min(1)).nullable().exactOptional(),
  /** Field of `data` that names the one user it is for; null, the default: everybody. */
  recipient: z.string().min(1).nullable().exactOptional(),
});

const definitions = z.record(z.string().regex(/^[^\s\p{Cc}:#][^\s\p{Cc}:]*$/u), definition);

export type ChannelDefinitionSetting = z.infer<typeof definition>;
type Definitions = Readonly<Record<string, ChannelDefinitionSetting>>;

export const channelsSettings = {
  definitions: setting<Definitions, Definitions>(
    {
      env: null,
      default: {},
      defaultText: 'chat, tweet and progress are built in',
      doc: 'What clients may do on a channel, by its name before the `:`. Of a built-in name only the fields given change.',
    },
    {
      kind: 'map',
      allowed:
        'an object: channel name to `{clientSend, ask, users, echo, schema, keep, recipient}`, each optional',
      schema: definitions,
      tellsParts: true,
    },
  ),
  systemUserName: text({
    env: 'YAMABIKO_SYSTEM_USER_NAME',
    default: 'system',
    pattern: /^[^\p{Cc}]{1,200}$/u,
    allowed: 'text of 1 to 200 characters',
    doc: 'Name of the sender of what Laravel says; its id is 0.',
  }),
} as const;
