//! Phrases and sentences to make summaries of; all of them invented for this crate.

pub(super) const PEOPLE: &[&str] = &[
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

pub(super) const DEEDS: &[&str] = &[
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
