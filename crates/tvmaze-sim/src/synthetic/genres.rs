use fastrand::Rng;

use super::rng::weighted;

/// TVmaze's genres and their relative frequencies.
const GENRES: &[(&str, u32)] = &[
    ("Action", 122),
    ("Adult", 2),
    ("Adventure", 86),
    ("Anime", 30),
    ("Children", 45),
    ("Comedy", 240),
    ("Crime", 113),
    ("DIY", 6),
    ("Drama", 340),
    ("Espionage", 3),
    ("Family", 45),
    ("Fantasy", 60),
    ("Food", 25),
    ("History", 33),
    ("Horror", 22),
    ("Legal", 7),
    ("Medical", 15),
    ("Music", 24),
    ("Mystery", 51),
    ("Nature", 10),
    ("Romance", 97),
    ("Science-Fiction", 67),
    ("Sports", 25),
    ("Supernatural", 22),
    ("Thriller", 55),
    ("Travel", 15),
    ("War", 14),
    ("Western", 4),
];

/// Up to four distinct genres in alphabetical order; about a quarter of the shows have no genre.
pub(super) fn genres(rng: &mut Rng) -> Vec<&'static str> {
    let count = weighted(rng, &[(0, 268), (1, 227), (2, 211), (3, 279), (4, 15)]);
    let mut genres = Vec::with_capacity(count);
    while genres.len() < count {
        let genre = weighted(rng, GENRES);
        if !genres.contains(&genre) {
            genres.push(genre);
        }
    }
    genres.sort_unstable();
    genres
}
