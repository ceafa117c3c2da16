// The query server: turns requests into jobs of the queue `query` and waits for them. It never runs a query itself.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { settings } from '../settings';
import { QueryModule } from './query.module';

async function main(): Promise<void> {
  const app = await NestFactory.create(QueryModule, { logger: ['error', 'warn'] });
  app.enableShutdownHooks();
  // Longer than nginx and fetch() keep an idle connection: none is closed in the moment in which it is used again.
  app.getHttpServer().keepAliveTimeout = 75_000;
  await app.listen(settings.query.port, settings.query.host);
  console.log(`query server: ${await app.getUrl()}`);
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
