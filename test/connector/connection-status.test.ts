import { describe, expect, it } from 'vitest';
import { bothEchos, openEcho, recorder, startServer, watchStatus } from './support/echo.ts';
import { ScriptedServer } from './support/scripted-server.ts';

const until = (status: string) => (one: string) => one === status;

describe.each(bothEchos)('%s: the connection’s status', (_name, open) => {
  it('goes from connecting to connected, through a cut, to disconnected', async () => {
    const server = await startServer();
    const echo = open({ host: server.url, token: 't' });
    const states = watchStatus(echo);
    expect(echo.connector.connectionStatus()).toBe('connecting');

    await states.next(until('connected'));
    server.cut();
    await states.next(until('connected'));
    expect(echo.connector.connectionStatus()).toBe('connected');
    echo.disconnect();
    expect(states.all).toEqual(['connected', 'disconnected', 'reconnecting', 'connected', 'disconnected']);
    expect(echo.connector.connectionStatus()).toBe('disconnected');
    expect(echo.socketId()).toBeUndefined();
  });
});

describe('the connection', () => {
  it('is told to Echo 2 itself', async () => {
    const server = await startServer();
    const echo = openEcho({ host: server.url, token: 't' });
    expect(echo.connectionStatus()).toBe('connecting');
  });

  it('is reconnecting once, however often it tries, and failed when the attempts are used up', async () => {
    const server = await ScriptedServer.start();
    const echo = openEcho({ host: server.url, token: 't', reconnectionAttempts: 3 });
    const states = watchStatus(echo);
    await states.next(until('connected'));
    await server.stop();
    await states.next(until('failed'));
    expect(states.all).toEqual(['connected', 'disconnected', 'reconnecting', 'failed']);
  });

  it('fails where no server is, and connects on demand once there is one', async () => {
    const gone = await ScriptedServer.start();
    const { port, url } = gone;
    await gone.stop();
    const echo = openEcho({ host: url, token: 't', reconnectionAttempts: 2 });
    const states = watchStatus(echo);
    const sent = echo.channel('a').send({});
    await expect(sent).rejects.toMatchObject({ code: 'unavailable' });
    await states.next(until('failed'));
    await expect(echo.channel('a').send({})).rejects.toMatchObject({ code: 'unavailable' });
    expect(states.all).toEqual(['reconnecting', 'failed']);

    await startServer(port);
    echo.connector.connect();
    await states.next(until('connected'));
    await echo.channel('a').send({});
    expect(states.all).toEqual(['reconnecting', 'failed', 'connecting', 'connected']);
  });

  it('fails at once where it shall not reconnect', async () => {
    const server = await ScriptedServer.start();
    const states = watchStatus(openEcho({ host: server.url, token: 't', reconnection: false }));
    await states.next(until('connected'));
    await server.stop();
    await states.next(until('failed'));
    expect(states.all).toEqual(['connected', 'disconnected', 'failed']);
  });

  it('fails when the server ends it, and comes back only on demand', async () => {
    const server = await startServer();
    const echo = openEcho({ host: server.url, token: 't' });
    const states = watchStatus(echo);
    const channel = echo.channel('a');
    await channel.send({});
    server.kick();
    await states.next(until('failed'));
    expect(states.all).toEqual(['connected', 'disconnected', 'failed']);
    await expect(channel.send({})).rejects.toMatchObject({ code: 'unavailable' });

    echo.connector.connect();
    await states.next(until('connected'));
    await channel.send({});
  });

  it('fails when the server turns it away', async () => {
    const server = await startServer();
    server.isClosed = true;
    const states = watchStatus(openEcho({ host: server.url, token: 't' }));
    await states.next(until('failed'));
    expect(states.all).toEqual(['failed']);
  });

  it('is disconnected when the page says so before it ever connected', async () => {
    const server = await startServer();
    const echo = openEcho({ host: server.url, token: 't' });
    const states = watchStatus(echo);
    echo.disconnect();
    expect(states.all).toEqual(['disconnected']);
    echo.connector.connect();
    await states.next(until('connected'));
    expect(states.all).toEqual(['disconnected', 'connecting', 'connected']);
  });

  it('waits for connect() where it shall not begin by itself', async () => {
    const server = await startServer();
    const echo = openEcho({ host: server.url, token: 't', autoConnect: false });
    expect(echo.connector.connectionStatus()).toBe('disconnected');
    const sent = echo.channel('a').send({});
    echo.connector.connect();
    await sent;
  });

  it('is told to each listener until that one ends it', async () => {
    const server = await startServer();
    const echo = openEcho({ host: server.url, token: 't' });
    const heard = recorder<string>();
    const same = (status: string) => heard.call(status);
    const stop = echo.connector.onConnectionChange(same);
    echo.connector.onConnectionChange(same);
    await heard.inbox.next();
    expect(heard.inbox.all).toEqual(['connected', 'connected']);
    stop();
    stop();
    echo.disconnect();
    expect(heard.inbox.all).toEqual(['connected', 'connected', 'disconnected']);
  });
});
