// The API server: what browsers and other services call.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { settings } from '../settings';
import { ApiModule } from './api.module';

async function main(): Promise<void> {
  const app = await NestFactory.create<NestExpressApplication>(ApiModule, { logger: ['error', 'warn'] });
  app.set('trust proxy', 'loopback'); // the client's address is nginx's to tell, on this machine
  app.enableShutdownHooks();
  // Longer than nginx and fetch() keep an idle connection: none is closed in the moment in which it is used again.
  app.getHttpServer().keepAliveTimeout = 75_000;
  await app.listen(settings.api.port, settings.api.host);
  console.log(`API server: ${await app.getUrl()}`);
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
