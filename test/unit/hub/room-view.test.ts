import { describe, expect, it } from 'vitest';
import { createMember, type Member } from '../../../server/domain/member.ts';
import { type PresenceChange, RoomView } from '../../../server/hub/room-view.ts';

const user = (id: number): Member => createMember({ userIdJson: String(id), socketId: `${id}.${id}` });
const [ada, bob, eve] = [user(1), user(2), user(3)];

const joined = (revision: number, member: Member): PresenceChange => ({ type: 'joined', revision, member });
const left = (revision: number, member: Member): PresenceChange => ({ type: 'left', revision, member });

function viewOf(revision: number, ...members: Member[]): RoomView {
  const view = new RoomView();
  view.begin({ revision, members });
  return view;
}

const shown = (view: RoomView) => view.members().map(({ userId }) => userId);
const never = new AbortController().signal;

describe("a room's view", () => {
  it('shows nobody and tells nothing before its first snapshot', () => {
    const view = new RoomView();
    expect(view.apply(joined(5, ada))).toBe(false);
    expect(view.revision).toBeNull();
    expect(shown(view)).toEqual([]);
  });

  it('puts what came before the snapshot on top of it, and what the snapshot knows not twice', () => {
    const view = new RoomView();
    view.apply(joined(4, ada));
    view.apply(joined(6, bob));
    view.apply(left(7, ada));
    view.begin({ revision: 5, members: [ada, eve] });
    expect(shown(view)).toEqual(['3', '2']);
    expect(view.revision).toBe(7);
  });

  it('begins once: a second snapshot does not turn it back', () => {
    const view = viewOf(5, ada);
    view.apply(joined(6, bob));
    view.begin({ revision: 5, members: [] });
    expect(shown(view)).toEqual(['1', '2']);
  });

  it('tells who came and who left, each once', () => {
    const view = viewOf(5);
    expect(view.apply(joined(6, ada))).toBe(true);
    expect(view.apply(joined(7, ada))).toBe(false);
    expect(view.apply(left(8, ada))).toBe(true);
    expect(view.apply(left(9, ada))).toBe(false);
    expect(view.revision).toBe(9);
  });

  it('ignores an announcement that it has passed', () => {
    const view = viewOf(5, ada);
    expect(view.apply(left(5, ada))).toBe(false);
    expect(view.apply(left(4, ada))).toBe(false);
    expect(shown(view)).toEqual(['1']);
  });

  it('keeps what the first connection of a user brought', () => {
    const view = viewOf(5, ada);
    view.apply(joined(6, createMember({ userIdJson: '1', socketId: '9.9' })));
    expect(view.members()).toEqual([ada]);
  });

  it('never shows a user of this node leaving, until his last connection here has gone', () => {
    const view = viewOf(5, ada);
    view.addLocal('1');
    view.addLocal('1');
    view.removeLocal('1');
    expect(view.apply(left(6, ada))).toBe(false);
    expect(view.reconcile({ revision: 7, members: [] }, true)).toEqual([]);
    expect(shown(view)).toEqual(['1']);
    view.removeLocal('1');
    expect(view.apply(left(8, ada))).toBe(true);
  });
});

describe('waiting for a revision', () => {
  it('ends at once where the view has passed it', async () => {
    await viewOf(5).passed(5, never);
  });

  it('ends with the announcement that brings the view there, not before', async () => {
    const view = viewOf(5);
    let passed = false;
    const waiting = view.passed(7, never).then(() => {
      passed = true;
    });
    view.apply(joined(6, ada));
    await Promise.resolve();
    expect(passed).toBe(false);
    view.apply(joined(7, bob));
    await waiting;
  });

  it('ends with the snapshot too', async () => {
    const view = new RoomView();
    const waiting = view.passed(5, never);
    view.begin({ revision: 5, members: [] });
    await waiting;
  });

  it('rejects with the reason of its signal, before or while it waits', async () => {
    const view = viewOf(5);
    const controller = new AbortController();
    const waiting = view.passed(6, controller.signal);
    controller.abort(new Error('too late'));
    await expect(waiting).rejects.toThrow('too late');
    await expect(view.passed(6, controller.signal)).rejects.toThrow('too late');
    // Who gave up is forgotten: the revision comes later and finds nobody.
    view.apply(joined(6, ada));
  });
});

describe('comparing a view with the roster', () => {
  it('shows who came at once, and keeps who is missing where the others may still be coming back', () => {
    const view = viewOf(5, ada);
    expect(view.reconcile({ revision: 9, members: [bob] }, false)).toEqual([{ type: 'joined', member: bob }]);
    expect(shown(view)).toEqual(['1', '2']);
    expect(view.revision).toBe(9);
  });

  it('shows who is missing leaving when the time is over', () => {
    const view = viewOf(5, ada, bob);
    expect(view.reconcile({ revision: 9, members: [bob, eve] }, true)).toEqual([
      { type: 'joined', member: eve },
      { type: 'left', member: ada },
    ]);
    expect(shown(view)).toEqual(['2', '3']);
  });

  it('tells nothing where nothing has changed', () => {
    expect(viewOf(5, ada).reconcile({ revision: 5, members: [ada] }, true)).toEqual([]);
  });

  it('hears an announcement that the snapshot knows as none', () => {
    const view = viewOf(5);
    view.reconcile({ revision: 9, members: [ada] }, false);
    expect(view.apply(joined(9, ada))).toBe(false);
  });

  it('takes no word from a snapshot that announcements have overtaken', () => {
    const view = viewOf(5, ada);
    view.apply(joined(9, bob));
    expect(view.reconcile({ revision: 8, members: [eve] }, true)).toBeNull();
    expect(shown(view)).toEqual(['1', '2']);
  });

  it('lets the revision that somebody waits for pass', async () => {
    const view = viewOf(5);
    const waiting = view.passed(8, never);
    view.reconcile({ revision: 8, members: [] }, false);
    await waiting;
  });

  it('leaves a view that has not begun to the join that begins it', () => {
    const view = new RoomView();
    view.apply(joined(6, bob));
    expect(view.reconcile({ revision: 5, members: [ada] }, true)).toEqual([]);
    view.begin({ revision: 5, members: [ada] });
    expect(shown(view)).toEqual(['1', '2']);
  });
});
