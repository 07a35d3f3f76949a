/**
 * `node:http`, for use in place of an import of it: that reads each name the module exports, `WebSocket` among them, and so
 * loads undici and with it worker threads and performance hooks: 33 ms of CPU time at the start of a process (Node 24).
 */
export const http = process.getBuiltinModule('node:http');
