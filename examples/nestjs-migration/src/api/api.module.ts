import { Body, Controller, Get, Headers, HttpCode, HttpException, Ip, Module, Param, Post } from '@nestjs/common';
import { settings } from '../settings';

@Controller('api')
export class ApiController {
  @Get('health')
  health(@Ip() ip: string): unknown {
    return { ok: true, client: ip };
  }

  /** Who asks comes from the request, what is asked goes on to the query server. */
  @Post('query/:func')
  @HttpCode(200)
  async query(@Param('func') func: string, @Headers('x-user-id') userId: string | undefined, @Body() params: Record<string, unknown>): Promise<unknown> {
    const answer = await fetch(`${settings.queryUrl}/query/${encodeURIComponent(func)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ params, userId: userId ?? 'anonymous' }),
    });
    const body = (await answer.json()) as object;
    if (!answer.ok) throw new HttpException(body, answer.status);
    return body;
  }
}

@Module({ controllers: [ApiController] })
export class ApiModule {}
