//! Words to make names of; all of them invented for this crate.

pub(super) const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Names that are whole, and so come up again and again: TVmaze has several shows of one name, too.
pub(super) const COMMON_NAMES: &[&str] = &[
    "Neighbours & Sons",
    "The Office Next Door",
    "Homecoming",
    "Undertow",
    "Q",
    "The Kitchen",
    "1977",
    "What's Left?",
];

pub(super) const ADJECTIVES: &[&str] = &[
    "Silent", "Broken", "Golden", "Hidden", "Crooked", "Distant", "Electric", "Frozen", "Gentle",
    "Hollow", "Iron", "Last", "Little", "Lost", "Midnight", "Northern", "Perfect", "Quiet",
    "Restless", "Secret", "Seventh", "Strange", "Sunken", "Unlikely", "Velvet", "Wild", "Winter",
    "Wooden", "Young", "Second", "Bitter", "Paper",
];

pub(super) const NOUNS: &[&str] = &[
    "Harbor",
    "Detective",
    "Kingdom",
    "Island",
    "Orchard",
    "Family",
    "River",
    "Witness",
    "Garden",
    "Republic",
    "Hospital",
    "Mirror",
    "Station",
    "Doctor",
    "Summer",
    "Lighthouse",
    "Archive",
    "Bakery",
    "Captain",
    "Daughter",
    "Engine",
    "Forest",
    "Gambler",
    "House",
    "Inheritance",
    "Jury",
    "Kitchen",
    "Letters",
    "Mountain",
    "Neighbor",
    "Oath",
    "Physician",
    "Queen",
    "Road",
    "Shadow",
    "Tower",
    "Village",
    "Wolves",
    "Café",
    "Fiddler",
];

pub(super) const PLACES: &[&str] = &[
    "Ashford",
    "Bergen",
    "Cordova",
    "Dunmore",
    "Eastvale",
    "Fairhaven",
    "Glasgow",
    "Hollow Creek",
    "Innsbruck",
    "Juneau",
    "Kyoto",
    "Lisbon",
    "Malden",
    "New Harbor",
    "Oxbow",
    "Port Alder",
    "Quarry Hill",
    "Riverside",
    "Saint Anne",
    "Tallinn",
    "Union Falls",
    "Verona",
    "Westmere",
    "Zürich",
];

pub(super) const CYRILLIC_NAMES: [&[&str]; 2] = [
    &["Тихий", "Последний", "Старый", "Чужой", "Северный", "Новый", "Тайный", "Ночной"],
    &["берег", "дом", "город", "поезд", "остров", "доктор", "сад", "дозор", "экзамен", "ветер"],
];

pub(super) const CHINESE_NAMES: [&[&str]; 2] = [
    &["长安", "夏日", "无声", "星辰", "春风", "江湖", "最后的", "第二次"],
    &["传说", "少年", "花园", "医生", "故事", "归来", "之夜", "家族"],
];

pub(super) const JAPANESE_NAMES: [&[&str]; 2] = [
    &["ひかりの", "真夜中の", "ぼくらの", "最後の", "月と", "北の", "魔法の", "名もなき"],
    &["探偵", "約束", "教室", "喫茶店", "冒険", "物語", "シェフ", "カラス"],
];

pub(super) const KOREAN_NAMES: [&[&str]; 2] = [
    &["푸른", "그해", "비밀의", "우리들의", "마지막", "달콤한", "열여덟"],
    &["겨울", "학교", "의사", "정원", "약속", "여름밤", "이웃"],
];

pub(super) const FORENAMES: &[&str] = &[
    "Ada", "Bruno", "Clara", "Dmitri", "Elena", "Farid", "Grace", "Hugo", "Ingrid", "Joseph",
    "Kenji", "Lucy", "Marcus", "Nadia", "Oscar", "Priya", "Quentin", "Rosa", "Samuel", "Thomas",
    "Ursula", "Viktor", "Wen", "Ximena", "Yara", "Zoë", "Amelia", "Benedict", "Conrad", "Dolores",
];

pub(super) const SURNAMES: &[&str] = &[
    "Abbott",
    "Bergström",
    "Castellano",
    "Duarte",
    "Eriksen",
    "Fairweather",
    "García",
    "Hollis",
    "Ivanova",
    "Jovanović",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "O'Connell",
    "Petrov",
    "Quinn",
    "Rossi",
    "Sørensen",
    "Tanaka",
    "Underwood",
    "Varga",
    "Whitlock",
    "Xu",
    "Young",
    "Zimmermann",
    "Adeyemi",
    "Brandt",
    "Chaudhry",
    "Delacroix",
    "Smith-Jones",
    "van der Berg",
];

pub(super) const ROLES: &[&str] =
    &["Narrator", "Host", "Judge", "The Stranger", "Co-Host", "Dr. No-One", "Nurse", "Sergeant"];

pub(super) const EPISODES: &[&str] = &[
    "Pilot",
    "Episode 6",
    "The Long Way Home",
    "Aftermath",
    "Finale",
    "A Guest & a Ghost",
    "Week 12",
    "Homecoming",
    "Part Two",
    "The One Who Stayed",
];
