import { BullModule } from '@nestjs/bull';
import { Module } from '@nestjs/common';
import { settings } from '../settings';
import { QueryController } from './query.controller';

@Module({
  imports: [
    BullModule.forRoot({ prefix: settings.prefix, redis: settings.redis }),
    BullModule.registerQueue({ name: 'query' }),
  ],
  controllers: [QueryController],
})
export class QueryModule {}
