import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { fresh, slug } from '../src/slug.js';

describe('slug', () => {
  it('writes words with hyphens', () => {
    assert.equal(slug('A Long Day'), 'a-long-day');
  });

  it('has no hyphen at its ends', () => {
    assert.equal(slug('"Quoted"'), 'quoted');
  });
});

test('a taken slug gets a number', () => {
  assert.equal(fresh('News', ['news', 'news-2']), 'news-3');
});
