import { useId } from 'preact/hooks';

/** A field for a number above 0, named beside it or to screen readers alone. */
export function Numbered(props: {
  label: string;
  hidden?: boolean;
  value: number;
  most: number;
  whole?: boolean;
  onValue(value: number): void;
}) {
  const { label, hidden = false, value, most, whole = false, onValue } = props;
  const id = useId();
  const input = (
    <input
      id={id}
      type="number"
      aria-label={hidden ? label : undefined}
      min={whole ? 1 : 0.1}
      max={most}
      step={whole ? 1 : 'any'}
      required
      value={value}
      onInput={({ currentTarget }) => {
        const next = currentTarget.valueAsNumber;
        if (Number.isFinite(next)) onValue(next);
      }}
    />
  );
  if (hidden) return input;
  return (
    <label for={id}>
      {label}
      {input}
    </label>
  );
}
