import { inParallel } from '../crowd.ts';
import type { MeasureKey } from '../measures.ts';
import { Progress } from '../progress.ts';
import { type Scenario, scenario } from '../scenario.ts';
import { LISTS } from '../targets/all.ts';

/** So many join one presence channel at once, on a server that has just started, and each is to know all in the end. */
export const presenceStorm300 = presenceStorm(300, 'presence300Ms', 'presence300Complete');
export const presenceStorm1000 = presenceStorm(1000, 'presence1000Ms', 'presence1000Complete');

function presenceStorm(users: number, ms: MeasureKey, complete: MeasureKey): Scenario {
  return scenario('presence', LISTS, async (target, { port }, { note }) => {
    // Of each the list and who was told afterwards, as the page would add them up.
    const known = Array.from({ length: users }, () => new Set<number>());
    const progress = new Progress(users * users, 2000);
    let lastMs = 0;
    let repeated = 0;
    const members = await inParallel(users, 50, (user) =>
      // Nobody is 0: that is the system on the raw door.
      target.approach(port, 'bench', user + 1, (text) => {
        const membership = target.readMembers(text);
        for (const id of membership?.users ?? []) {
          if (known[user]?.has(id)) repeated++;
          else progress.arrived();
          known[user]?.add(id);
          lastMs = performance.now();
        }
      }),
    );
    const startMs = performance.now();
    await Promise.all(members.map((member) => member.join()));
    await progress.end();
    note(ms, lastMs - startMs);
    note(complete, known.filter(({ size }) => size === users).length);
    if (repeated > 0) console.log(`${target.name}: ${repeated} members told twice`);
    for (const member of members) member.close();
  });
}
