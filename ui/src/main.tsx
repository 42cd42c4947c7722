import { render } from 'preact';
import { App } from './app.tsx';
import './style.css';
import { loadView, placeNow } from './views.ts';
import { speak } from './words/index.ts';

const app = document.getElementById('app')!;
const [view] = placeNow();
Promise.all([speak(), loadView(view)]).then(
  () => render(<App />, app),
  () => app.append('Parts of this page could not be loaded. Load it again.'),
);
