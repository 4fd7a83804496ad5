import { createRoot } from 'react-dom/client';
import { GraphiQLPage } from './GraphiQLPage';
import '../theme.css';
import './graphiql.css';

createRoot(document.getElementById('root')!).render(<GraphiQLPage />);
