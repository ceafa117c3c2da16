import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { settings } from '../settings';
import type { JobData, UseCase } from './use_case';

/** Least number of letters to insert, delete or replace. */
function distance(a: string[], b: string[]): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      row[j] = Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    above = row;
  }
  return above[b.length];
}

/** The keywords nearest to a word: plain computing over a list, which C++ does many times faster. */
@Injectable()
export class SimilarKeywords implements UseCase {
  async execute(data: JobData): Promise<unknown> {
    const word = [...String(data.word)];
    const keywords = (await readFile(join(settings.sample, 'keywords.txt'), 'utf8')).split('\n').filter(Boolean);
    const near = keywords.map((keyword, at) => ({ keyword, distance: distance(word, [...keyword]), at }));
    near.sort((a, b) => a.distance - b.distance || a.at - b.at);
    return near.slice(0, Number(data.n ?? 10)).map(({ keyword, distance: d }) => ({ keyword, distance: d }));
  }
}
