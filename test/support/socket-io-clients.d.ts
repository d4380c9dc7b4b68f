// 2.x ships no types and 3.x none that NodeNext finds; tests treat both as the structural ClientSocket of socket-io.ts.
declare module 'socket.io-client-v2' {
  const io: (url: string, options?: object) => unknown;
  export = io;
}

declare module 'socket.io-client-v3' {
  export const io: (url: string, options?: object) => unknown;
}
