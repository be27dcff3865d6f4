/** The demo's page: joins what people do (drop, choose, paste, take a sample) to the model and to what is shown. */
import { DescribePhotos } from './describe-photos.ts';
import { listenForPhotos } from './input.ts';
import { ModelLoader } from './model-loader.ts';
import { showSamples } from './view/samples-view.ts';

const loader = new ModelLoader(new URLSearchParams(location.search));
const photos = new DescribePhotos(loader);

listenForPhotos((file) => photos.describe({ source: file, name: file.name }));
showSamples((sample) => photos.describe({ source: sample.url, name: sample.name }));
loader.load();
