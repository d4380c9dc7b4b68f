import type { ChannelDefinition } from './channel-definitions.ts';

const string = { type: 'string' } as const;
const integer = { type: 'integer' } as const;

const object = (properties: Readonly<Record<string, object>>, optional: readonly string[] = []) => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
});

/** What the seed defines (protocol.md section 3, "Channel definitions"); configuration may change each field. */
export const BUILT_IN: Readonly<Record<string, Partial<ChannelDefinition>>> = {
  chat: {
    clientSend: true,
    schema: object({ message: string, name: string, target_user_id: { type: ['integer', 'null'] } }, [
      'target_user_id',
    ]),
    keep: ['message', 'name'],
    recipient: 'target_user_id',
  },
  tweet: {
    schema: object({
      tweet: object({
        id: integer,
        content: string,
        created_at: string,
        user: object({ id: integer, name: string }),
      }),
    }),
  },
  progress: {
    schema: object({ info: object({ type: string, title: string, detail: { type: 'object' } }) }),
  },
};
