import { Injectable } from '@nestjs/common';
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue, type Json } from '@duckdb/node-api';

/** One DuckDB a process, opened at the first query with DuckDB's own defaults: all cores, 80 % of the memory. */
@Injectable()
export class DuckDbService {
  #opened?: Promise<DuckDBConnection>;

  connection(): Promise<DuckDBConnection> {
    this.#opened ??= (async () => {
      const instance = await DuckDBInstance.create(':memory:');
      const connection = await instance.connect();
      await connection.run("SET TimeZone = 'Asia/Seoul'");
      return connection;
    })();
    return this.#opened;
  }

  /** Rows as plain JSON: 64-bit numbers, decimals and dates as text. */
  async rows(sql: string, parameters: Record<string, DuckDBValue> = {}): Promise<Record<string, Json>[]> {
    const reader = await (await this.connection()).runAndReadAll(sql, parameters);
    return reader.getRowObjectsJson();
  }
}
