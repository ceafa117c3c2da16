// A TCP proxy between a worker and Redis that lets a test look at what passes, and act between two packets.
import net from 'node:net';

/**
 * `look({ from, text, connection })` is called for each packet before it goes on, `from` being 'client' or 'server';
 * if it answers false the packet is dropped. `connection` is an object that is the same for all packets of one connection.
 */
export async function startProxy(lab, redis, look) {
  const sockets = new Set();
  const server = net.createServer((client) => {
    const connection = {};
    const upstream = net.connect(redis.port, redis.host);
    const pass = (from, to, name) => {
      sockets.add(from);
      from.on('data', (packet) => {
        if (look({ from: name, text: packet.toString('latin1'), connection }) !== false) to.write(packet);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    };
    pass(client, upstream, 'client');
    pass(upstream, client, 'server');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  lab.atEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address();
  return { ...redis, host: '127.0.0.1', port, env: { ...redis.env, REDIS_HOST: '127.0.0.1', REDIS_PORT: String(port) } };
}
