/** The demo's page: joins what people do (drop, choose, paste, take a sample, ask) to the model and to what is shown. */
import { AskQuestions } from './ask-questions.ts';
import { DescribeMedia } from './describe-media.ts';
import { listenForFiles } from './input.ts';
import { ModelLoader } from './model-loader.ts';
import { NameClasses } from './name-classes.ts';
import { showSamples } from './view/samples-view.ts';

const loader = new ModelLoader(new URLSearchParams(location.search));
const media = new DescribeMedia(loader, [new AskQuestions(loader), new NameClasses(loader)]);

listenForFiles((file) => media.describe(file, file.name));
showSamples((sample) => media.describe(sample.url, sample.name));
loader.load();
