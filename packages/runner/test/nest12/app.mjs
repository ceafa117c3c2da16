// A NestJS 12 application: ES modules.
import 'reflect-metadata';
import { Inject, Injectable, Module, Scope } from '@nestjs/common';
import makeApp from '../nest_app.cjs';

export const { AppModule, Database, PerJob, RankUseCase } = makeApp({ Inject, Injectable, Module, Scope });
