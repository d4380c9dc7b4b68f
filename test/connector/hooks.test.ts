// @vitest-environment happy-dom
import * as echoReact from '@laravel/echo-react';
import * as echoVue from '@laravel/echo-vue';
import { act, createElement, type ReactNode, StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { describe, expect, it } from 'vitest';
import { createApp, defineComponent, h, nextTick, ref } from 'vue';
import { type YamabikoPresenceChannel, yamabikoBroadcaster } from '../../echo-connector/src/index.ts';
import { atEnd, recorder, startServer } from './support/echo.ts';

const page = globalThis as unknown as {
  document: { createElement(tag: string): Parameters<typeof createRoot>[0] };
  IS_REACT_ACT_ENVIRONMENT: boolean;
};
page.IS_REACT_ACT_ENVIRONMENT = true;

async function renderReact(node: ReactNode) {
  const root = createRoot(page.document.createElement('div'));
  await act(async () => root.render(node));
  let isMounted = true;
  const unmount = async () => {
    if (isMounted) await act(async () => root.unmount());
    isMounted = false;
  };
  atEnd(unmount);
  return { unmount };
}

async function configured(hooks: typeof echoReact | typeof echoVue) {
  const server = await startServer();
  hooks.configureEcho(yamabikoBroadcaster({ host: server.url, token: 't' }));
  atEnd(() => hooks.echo().disconnect());
  return server;
}

describe('the hooks of React', () => {
  it('listen, and leave when the component goes', async () => {
    const server = await configured(echoReact);
    const heard = recorder<unknown>();
    const Orders = () => {
      echoReact.useEcho('orders.1', '.shipped', (order) => heard.call(order));
      return null;
    };
    const { unmount } = await renderReact(createElement(Orders));
    await server.next('subscribe', 'private-orders.1');
    server.say('shipped', 'private-orders.1', { id: 7 });
    expect(await heard.inbox.next()).toEqual({ id: 7 });
    await unmount();
    await server.next('unsubscribe', 'private-orders.1');
  });

  it('hold one subscription in strict mode, which mounts twice', async () => {
    const server = await configured(echoReact);
    const heard = recorder<unknown>();
    const Room = () => {
      const { channel } = echoReact.useEchoPresence('room', '.event', (data) => heard.call(data));
      (channel() as YamabikoPresenceChannel | null)?.here((users) => heard.call(users));
      return null;
    };
    await renderReact(createElement(StrictMode, null, createElement(Room)));
    await server.next('subscribe', 'presence-room');
    await (echoReact.echo().join('room') as unknown as YamabikoPresenceChannel).send({});
    server.say('event', 'presence-room', 'once');
    expect(await heard.inbox.next()).toBe('once');
    expect(heard.inbox.all).toEqual(['once']);
    expect(server.count('subscribe')).toBe(1);
  });

  it('move to another channel when the name changes, and share one among components', async () => {
    const server = await configured(echoReact);
    let change: (name: string) => void = () => {};
    const Feed = ({ name }: { name: string }) => {
      echoReact.useEchoPublic(name, '.flash', () => {});
      return null;
    };
    const Feeds = () => {
      const [name, setName] = useState('a');
      change = setName;
      return [createElement(Feed, { name, key: 1 }), createElement(Feed, { name: 'b', key: 2 })];
    };
    await renderReact(createElement(Feeds));
    await server.next('subscribe', 'a');
    await server.next('subscribe', 'b');
    await act(async () => change('b'));
    await server.next('unsubscribe', 'a');
    expect(server.count('subscribe')).toBe(2);
  });

  it('tell the connection’s status', async () => {
    const server = await configured(echoReact);
    const seen = recorder<string>();
    const Status = () => {
      seen.call(echoReact.useConnectionStatus());
      return null;
    };
    await renderReact(createElement(Status));
    // Under act() React would hold the renders back until we return.
    page.IS_REACT_ACT_ENVIRONMENT = false;
    atEnd(() => {
      page.IS_REACT_ACT_ENVIRONMENT = true;
    });
    await seen.inbox.next((status) => status === 'connected');
    server.kick();
    await seen.inbox.next((status) => status === 'failed');
  });
});

describe('the composables of Vue', () => {
  it('listen, leave, and come back', async () => {
    const server = await configured(echoVue);
    const heard = recorder<unknown>();
    const isShown = ref(true);
    const Orders = defineComponent(() => {
      echoVue.useEcho('orders.1', '.shipped', (order) => heard.call(order));
      return () => null;
    });
    const app = createApp(() => (isShown.value ? h(Orders) : null));
    app.mount(page.document.createElement('div') as never);
    atEnd(() => app.unmount());
    for (let times = 0; times < 2; times++) {
      await server.next('subscribe', 'private-orders.1');
      server.say('shipped', 'private-orders.1', { times });
      expect(await heard.inbox.next()).toEqual({ times });
      isShown.value = false;
      await nextTick();
      await server.next('unsubscribe', 'private-orders.1');
      isShown.value = true;
      await nextTick();
    }
  });

  it('hear notifications and tell the status', async () => {
    const server = await configured(echoVue);
    const heard = recorder<unknown>();
    const Bell = defineComponent(() => {
      echoVue.useEchoNotification('App.Models.User.1', (note) => heard.call(note));
      const status = echoVue.useConnectionStatus();
      return () => {
        heard.call(status.value);
        return h('i', status.value);
      };
    });
    const app = createApp(Bell);
    app.mount(page.document.createElement('div') as never);
    atEnd(() => app.unmount());
    await heard.inbox.next((what) => what === 'connected');
    await server.next('subscribe', 'private-App.Models.User.1');
    server.say(
      'Illuminate\\Notifications\\Events\\BroadcastNotificationCreated',
      'private-App.Models.User.1',
      {
        id: '1',
        type: 'App\\Note',
        text: 'hello',
      },
    );
    expect(await heard.inbox.next((what) => typeof what === 'object')).toMatchObject({ text: 'hello' });
  });
});
