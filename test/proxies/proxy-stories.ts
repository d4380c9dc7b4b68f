import { afterAll, beforeAll, describe } from 'vitest';
import { clientStories } from './client-stories.ts';
import { drainStories } from './drain-stories.ts';
import { routingStories } from './routing-stories.ts';
import type { ProxyKind } from './support/proxy.ts';
import { Scene } from './support/scene.ts';

/**
 * What an operator may expect of a proxy with the file that we ship: one list for each.
 * @param ownStories what only this one does
 */
export function proxyStories(kind: ProxyKind, ownStories: (scene: () => Scene) => void = () => {}): void {
  let running: Scene | undefined;
  /** It is there when tests run, and not before. */
  const scene = (): Scene => {
    if (running === undefined) throw new Error('the proxy is not there yet');
    return running;
  };

  beforeAll(async () => {
    running = await Scene.start(kind);
  });
  afterAll(() => running?.stop());

  describe('a client through the proxy', () => clientStories(scene));
  describe('the proxy', () => {
    routingStories(kind, scene);
    ownStories(scene);
  });
  describe('a deployment', () => drainStories(scene));
}
