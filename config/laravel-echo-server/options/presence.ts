import { changed, dropped, isOn, kept, type OldOption, wrong } from '../old-option.ts';

/** Where the members were kept, and who was told of them. */
export const presenceOptions: readonly OldOption[] = [
  {
    path: 'database',
    given: (value) => {
      if (value === 'redis') return kept({}, 'members are kept in Redis, under keys of our own');
      if (value === 'sqlite')
        return changed('members are kept in Redis (in memory without it), not in SQLite');
      return wrong('must be redis or sqlite');
    },
  },
  { path: 'databaseConfig.sqlite.databasePath', given: () => dropped('no file is written') },
  {
    path: 'databaseConfig.publishPresence',
    given: (value) =>
      isOn(value)
        ? changed(
            'nothing is published on PresenceChannelUpdated: webhooks (YAMABIKO_WEBHOOK_URL) tell Laravel, or it asks GET /apps/:id/channels/:name/users',
          )
        : kept({}, 'not published here either'),
  },
];
