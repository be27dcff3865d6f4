import astronaut from '../samples/astronaut.jpg';
import cat from '../samples/cat.jpg';
import coffee from '../samples/coffee.jpg';
import dog from '../samples/dog.jpg';
import horses from '../samples/horses.jpg';
import owl from '../samples/owl.jpg';
import photographer from '../samples/photographer.jpg';
import temple from '../samples/temple.jpg';

/** A photo that comes with the page, and whom it is owed to. `samples/CREDITS.md` has the same with more detail. */
export interface Sample {
  /** Where it is served. */
  readonly url: string;
  /** What it is called on the page; not a description, which is the model's to give. */
  readonly name: string;
  /** What its author called it. */
  readonly title: string;
  readonly author: string;
  /** The terms under which it may be shown. */
  readonly terms: string;
  /** The package that it was taken from. */
  readonly from: string;
}

const gcompris = 'Debian’s package gcompris-qt-data';
const skimage = 'the Python package scikit-image';
const cc0 = 'CC0 1.0';
const publicDomain = 'public domain';

/** In the order shown. */
export const samples: readonly Sample[] = [
  {
    url: dog,
    name: 'Dog',
    title: 'German shepherd',
    author: 'Hans Kemperman',
    terms: publicDomain,
    from: gcompris,
  },
  {
    url: horses,
    name: 'Horses',
    title: 'Nokota Horse Stud Band',
    author: 'Seth Zeigler',
    terms: cc0,
    from: gcompris,
  },
  {
    url: photographer,
    name: 'Photographer',
    title: 'Camera',
    author: 'Lav Varshney',
    terms: cc0,
    from: skimage,
  },
  {
    url: astronaut,
    name: 'Astronaut',
    title: 'Eileen Collins',
    author: 'NASA',
    terms: publicDomain,
    from: skimage,
  },
  {
    url: cat,
    name: 'Cat',
    title: 'Chelsea the cat',
    author: 'Stéfan van der Walt',
    terms: cc0,
    from: skimage,
  },
  {
    url: owl,
    name: 'Owl',
    title: 'Owl The Nightbird',
    author: 'Lepale',
    terms: cc0,
    from: gcompris,
  },
  {
    url: temple,
    name: 'Temple',
    title: 'China',
    author: 'danielbuechele',
    terms: 'CC BY 2.0 (scaled down)',
    from: 'the Python package scikit-learn',
  },
  {
    url: coffee,
    name: 'Coffee',
    title: 'Coffee',
    author: 'Rachel Michetti, by courtesy of Pikolo Espresso Bar',
    terms: cc0,
    from: skimage,
  },
];
