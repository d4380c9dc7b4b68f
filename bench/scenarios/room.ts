import { inParallel } from '../crowd.ts';
import { Progress } from '../progress.ts';
import { scenario } from '../scenario.ts';
import { LISTS } from '../targets/all.ts';

const MEMBERS = 1000;
const VISITS = 30;
/** Who comes and goes is none of the members. */
const VISITOR = 1_000_000;
/** laravel-echo-server loses members that come at once. */
const AT_ONCE = 1;

/** Somebody comes into a full room, all are told, he goes, all are told. */
export const room = scenario('room', LISTS, async (target, { port, child }, { note, count }) => {
  let told = (_kind: 'joined' | 'left', _user: number): void => {};
  const members = await inParallel(MEMBERS, AT_ONCE, async (i) => {
    const listed = new Progress(1);
    const member = await target.approach(port, 'bench', i + 1, (text) => {
      const membership = target.readMembers(text);
      if (membership?.kind === 'list') listed.arrived();
      else if (membership !== null) told(membership.kind, membership.users[0] ?? -1);
    });
    await member.join();
    await listed.end();
    return member;
  });
  const [cpuBefore, startMs] = [child.cpuMicroseconds(), performance.now()];
  let lost = 0;
  for (let visit = 0; visit < VISITS; visit++) {
    const visitor = VISITOR + visit;
    const announced = (kind: 'joined' | 'left') => {
      const progress = new Progress(MEMBERS, 1000);
      told = (what, user) => {
        if (what === kind && user === visitor) progress.arrived();
      };
      return progress.end();
    };
    const guest = await target.approach(port, 'bench', visitor, () => {});
    const joined = announced('joined');
    await guest.join();
    lost += await joined;
    const left = announced('left');
    guest.leave();
    lost += await left;
    guest.close();
  }
  const due = MEMBERS * VISITS * 2;
  note('roomMs', (performance.now() - startMs) / (VISITS * 2));
  note('roomCpu', (child.cpuMicroseconds() - cpuBefore) / due);
  count(due, lost);
  for (const member of members) member.close();
});
