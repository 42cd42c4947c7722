/** Check digits of the numbers that people are known by. Each takes digits (and letters) without separators. */

/** Luhn's, of payment cards (ISO/IEC 7812-1, annex B). */
export function isCard(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const digit = Number(digits[digits.length - 1 - at]) * (at % 2 === 1 ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return digits.length >= 13 && digits.length <= 19 && sum % 10 === 0 && /[1-9]/.test(digits);
}

/** Modulo 97 of an IBAN (ISO 13616-1; ISO/IEC 7064, MOD 97-10). */
export function isIban(text: string): boolean {
  if (text.length < 15 || text.length > 34) return false;
  let rest = 0;
  for (const character of text.slice(4) + text.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

/** Modulo 11 of an NHS number: weights 10 to 2 (NHS Data Dictionary, "NHS number"). */
export function isNhsNumber(digits: string): boolean {
  if (digits.length !== 10) return false;
  let sum = 0;
  for (let at = 0; at < 9; at += 1) sum += Number(digits[at]) * (10 - at);
  return (11 - (sum % 11)) % 11 === Number(digits[9]);
}

/** Of a Japanese individual number (My Number): 平成26年総務省令第85号, article 5. */
export function isMyNumber(digits: string): boolean {
  if (digits.length !== 12) return false;
  let sum = 0;
  for (let place = 1; place <= 11; place += 1)
    sum += Number(digits[11 - place]) * (place <= 6 ? place + 1 : place - 5);
  const rest = sum % 11;
  return (rest <= 1 ? 0 : 11 - rest) === Number(digits[11]);
}
