import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainText } from '../routable.ts';
import { isCard, isIban, isMyNumber, isNhsNumber } from './checksums.ts';
import { deidentified, deidentifier, deidentifierOf, identifiersIn } from './deidentify.ts';

const take = deidentifier();

describe('de-identification', () => {
  it.each([
    ['Write to jo.smith+a@mail.example.co.uk.', 'Write to [email].'],
    ['See https://example.org/u/12?x=1, please', 'See [url], please'],
    ['from 192.168.3.14 and fe80::1ff:fe23:4567:890a', 'from [network] and [network]'],
    ['born 12/03/1951, seen 2023-04-09', 'born [date], seen [date]'],
    ['on March 3rd, 2024 and 4 May', 'on [date] and [date]'],
    ['card 4539 1488 0343 6467', 'card [id]'],
    ['IBAN GB82 WEST 1234 5698 7654 32 NOW', 'IBAN [id] NOW'],
    ['MRN: 00482913, policy no. PX-778291', 'MRN: [id], policy no. [id]'],
    ['Ring +44 20 7946 0958 or (217) 555-0142', 'Ring [phone] or [phone]'],
    ['He lives at 48 Willow Lane, Bristol BS1 4QT.', 'He lives at [address].'],
    ['Mr Baker coughs. Baker smokes.', 'Mr [name] coughs. [name] smokes.'],
    ['Patient: Ann O’Hara\nStable.', 'Patient: [name]\nStable.'],
    [
      'Dear Priya,\nthe rash is gone.\nRegards,\nTom Hale',
      'Dear [name],\nthe rash is gone.\nRegards,\n[name]',
    ],
    ['患者氏名：佐々木 健一　昭和45年3月12日生', '患者氏名：[name]　[date]生'],
    ['田中様、電話は０３−５５５５−０１２３です。田中より', '[name]様、電話は[phone]です。[name]より'],
    ['住所：東京都新宿区西新宿2-8-1', '住所：[address]'],
    ['渡辺と申します。', '[name]と申します。'],
  ])('%s', (text, expected) => {
    expect(take(text)).toBe(expected);
  });

  it.each([
    'The ratio is 3:2:1 at 12:30:45, tolerance 0.5-1.5 mm.',
    'std::vector<int> a; x = a::b; node 20.20.1',
    'BP 120/80, pulse 72, HbA1c 9.1 %, 1000 mg twice daily',
    'The patient has had migraines since childhood.',
    'Add 12 34 56 78 and 90 to the list; in 2024 it was 4539 1488 0343 6468.',
    'Dear Sir, thank you. Hello World. Parkinson disease and Crohn disease.',
    'お客様、同様の症状は皆さんにも見られます。仕様と多様性。',
    '血圧150/95、1日1回、2週間分処方。',
  ])('leaves %s', (text) => {
    expect(take(text)).toBe(text);
  });

  it('keeps the kinds that it is told to', () => {
    expect(deidentifier(['date'])('Mr Baker came on 2024-01-05')).toBe('Mr [name] came on 2024-01-05');
    expect(deidentifierOf(false)).toBeNull();
    expect(deidentifierOf({ keep: ['name'] })!('Mr Baker, 2024-01-05')).toBe('Mr Baker, [date]');
  });

  it('finds spans in order that do not overlap, in any text', () => {
    const piece = fc.constantFrom(
      'Mr ',
      'Baker',
      ' 2024-01-05',
      '山田',
      '様',
      '@',
      'a.b',
      '住所：',
      '0',
      ' ',
      '４',
      '\n',
    );
    const texts = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.array(piece).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        let end = 0;
        for (const span of identifiersIn(text)) {
          expect(span.start).toBeGreaterThanOrEqual(end);
          expect(span.end).toBeGreaterThan(span.start);
          end = span.end;
        }
        expect(end).toBeLessThanOrEqual(text.length);
      }),
    );
  });

  it('reads no more of a turn than classification does', () => {
    const turn = plainText(`Mr Baker ${'x '.repeat(100_000)}`);
    const [segment] = deidentified(turn, take).segments;
    expect(segment!.text.length).toBeLessThan(20_000);
    expect(segment!.text).toContain('Mr [name]');
  });
});

describe('check digits', () => {
  it.each([
    [isCard, '4111111111111111', '4111111111111112'],
    [isIban, 'DE89370400440532013000', 'DE89370400440532013001'],
    [isNhsNumber, '9434765919', '9434765918'],
    [isMyNumber, '123456789018', '123456789019'],
  ])('%o', (check, right, wrong) => {
    expect([check(right), check(wrong)]).toEqual([true, false]);
  });
});
