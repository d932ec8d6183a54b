//! Words for names and sentences for summaries, all written for this crate.

pub(super) const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Complete names, which repeat: TVmaze too has several shows with the same name.
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

pub(super) const EPISODE_TITLES: &[&str] = &[
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

pub(super) const PROTAGONISTS: &[&str] = &[
    "a retired detective",
    "a pair of estranged sisters",
    "a young surgeon",
    "an unlikely crew of misfits",
    "a circle of friends from school",
    "the last heir of a shipping family",
    "a small-town reporter",
    "a disgraced chef",
    "a team of forensic accountants",
    "one ordinary family",
    "a group of ambitious amateurs",
    "the night shift of a city hospital",
];

pub(super) const ACTIONS: &[&str] = &[
    "returns home after twenty years",
    "must decide whom to trust",
    "stumbles upon a secret that was meant to stay buried",
    "competes for a prize of a lifetime",
    "tries to keep an old promise",
    "is drawn into a conspiracy that reaches the very top",
    "starts all over again",
    "investigates the cases that nobody else wants",
    "learns that the past is never quite over",
    "opens the doors to the public for the first time",
];

pub(super) const SENTENCES: &[&str] = &[
    "Nothing is what it seems, and every answer raises another question.",
    "Each week a new challenge puts their friendship to the test.",
    "As the investigation widens, the lines between duty and loyalty begin to blur.",
    "With humor, heart and a fair amount of chaos, they make the best of it.",
    "Cameras follow the daily lives of the people behind the scenes.",
    "But when a stranger arrives, the fragile balance of the community is shaken.",
    "The series is based on the best-selling novels of the same name.",
    "Together they travel across the country in search of forgotten recipes.",
    "Meanwhile, an old rival is waiting for the right moment to strike.",
    "Experts and celebrities discuss the events of the week in front of a live audience.",
    "Who will make it to the final, and who has to leave the house tonight?",
    "It is a story about love, loss and the courage to begin again.",
    "Rare archive footage and new interviews shed light on what really happened.",
    "She said it was \"only for the summer\", yet nobody has left since.",
];
