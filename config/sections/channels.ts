import { z } from 'zod';
import { setting, text } from '../kinds.ts';

/** What a channel name, parameters apart, may do (protocol.md section 3). What is left out keeps its default. */
const definition = z.strictObject({
  /** Whether clients may send; default false. */
  clientSend: z.boolean().optional(),
  /** Whether users are shown and announced; default true. */
  users: z.boolean().optional(),
  /** Whether Echo's private-X and presence-X belong to the room; default true. */
  echo: z.boolean().optional(),
  /** JSON Schema of `data`; default any object. */
  schema: z.record(z.string(), z.unknown()).optional(),
  /** Fields of `data` that receivers get; default all, byte for byte. */
  keep: z.array(z.string().min(1)).optional(),
  /** Field of `data` that names the one user it is for; default none: everybody. */
  recipient: z.string().min(1).optional(),
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
      doc: 'What clients may do on a channel, by its name before the `:`. A definition of a built-in name replaces it.',
    },
    {
      kind: 'map',
      allowed:
        'an object: channel name to `{clientSend, users, echo, schema, keep, recipient}`, each optional',
      schema: definitions as unknown as z.ZodType<Definitions>,
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
