import { expect, it } from 'vitest';
import { RoomViews } from '../../../server/hub/room-views.ts';

it("keeps a room's view as long as somebody has it, and not longer", () => {
  const views = new RoomViews();
  const view = views.acquire('chat:1');
  expect(views.acquire('chat:1')).toBe(view);
  expect(views.acquire('chat:2')).not.toBe(view);
  expect(views.rooms()).toEqual(['chat:1', 'chat:2']);
  views.release('chat:1');
  expect(views.get('chat:1')).toBe(view);
  views.release('chat:1');
  views.release('chat:2');
  expect(views.get('chat:1')).toBeNull();
  expect(views.rooms()).toEqual([]);
});

it('takes a release too many as none', () => {
  const views = new RoomViews();
  views.release('chat:1');
  const view = views.acquire('chat:1');
  expect(views.get('chat:1')).toBe(view);
});

it('begins anew with the next visitor', () => {
  const views = new RoomViews();
  views.acquire('chat:1').begin({ revision: 5, members: [] });
  views.release('chat:1');
  expect(views.acquire('chat:1').revision).toBeNull();
});
