/** Echo's five states of a connection (laravel-echo: src/connector/connector.ts). */
export type ConnectionStatus = 'connected' | 'disconnected' | 'connecting' | 'reconnecting' | 'failed';
