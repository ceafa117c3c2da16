// For ES modules: the same code, loaded once, whoever asks for it.
export * from './index.js';
