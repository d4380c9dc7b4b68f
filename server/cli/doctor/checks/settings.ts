import { type Check, note, ok, warning } from '../check.ts';

/** What the start would warn of. Mistakes end the doctor before any check. */
export const settingsCheck: Check = {
  name: 'settings',
  run: async ({ config, warnings }) => {
    const mode = config.development
      ? [
          note(
            'development mode: this machine only, a secret for each run, the demo is on',
            'for production set NODE_ENV=production and YAMABIKO_JWT_SECRET',
          ),
        ]
      : [];
    const told = warnings.map((text) => warning(text, 'see docs/settings.md'));
    return told.length + mode.length > 0 ? [...mode, ...told] : [ok('no mistake, no warning')];
  },
};
