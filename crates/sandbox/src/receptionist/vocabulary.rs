//! Lists of words: which are too common to be a name or an area, which count something, which end a street.

use std::{collections::BTreeSet, sync::LazyLock};

/// Words that are never the name of an area, and never of a person unless they follow "my name is".
const COMMON: &str = "
a able about above absolutely actually advance affordable after afternoon again agent ago ah ahead ai all alone along alright also always
am amazing an and another any anybody anyone anything anytime anywhere apartment apartments appointment are aren't around as
ask asking asap at available available away awesome baby back backyard bad balcony bank basement bath bathroom bathrooms baths be beautiful
because bed bedroom bedrooms beds been before below best better between big bigger book booked booking both bot bought boyfriend bright
brother budget building but buy buyer buying by bye call called caller calling came can can't cannot car care case cash
cat cats certain change charming cheap cheaper check child children cheers choose city clean close closer cold come comfortable coming computer condo
condominium condominiums condos confirm correct cost could couldn't country couple course cozy cute dad daughter day days dear deal decent definitely
described description details did didn't different dining do does doesn't dog dogs doing dollars don't done door down driveway dunno during
each earlier earliest early easy eh either else email end enough er evening ever every everyone everything everywhere exactly example
excellent excuse expensive extra family fancy fantastic far fast father few fiance fifteen find finding fine finance financing first fireplace fit fix flat
flats flexible floor for forget former found four free friend friday from front full fully furnished further future garage garden
general get getting girlfriend give glad go goes going gonna good goodbye got gotta grand great guess guest guys had half hand hang
happy hard has have haven't having he heard hear heck hello help her here hey hi high him his hm hmm hold home homes
honest honestly hope hospital hot hour hours house houses how how's however huge huh human hundred husband i i'd i'll i'm i've idea if
immediately important in indeed information inside instead interested into investment is isn't it it's item its job joking june just keep kid kids kind
kindly kitchen knew know kinda lady lake land large larger last late later latest latter least leave less let let's life light like
liked likely line listed listing listings little live living loan local location long look looked looking lost lot lots love loved lovely low lower luck
luxury ma'am machine made make man many market married matter max maximum may maybe me mean meant meet mention mhm middle might million
mind mine minimum minute minutes miss mister modern mom moment monday money month monthly months more morning mortgage most mother move
moved moving mr mrs ms much mum must my myself name name's named near nearby need needed needs neighborhood neighbourhood neither
never new newer next nice night no nobody none nonsense noon nope nor normal not nothing notice now number number's obviously
of off offer office often oh ok okay old older on once one one's ones only open option options or order other
others our out outside over own owner parents park parking part partner past pay payment people per perfect perhaps person pet pets phone
pick place places plan planning please plenty plus pm point pool possible possibly pre preapproved prefer preferably preference presume pretty
price prices private probably problem properties property pull purchase put question questions quick quickly quiet quite ranch range rather ready real
really reason reasonable recording remember renovated rent rental rentals renting repeat representative reserve right robot room rooms roommate roughly said
sale same saturday saw say saying schedule school schools search searching second see seeing seem seen sell selling send served set several
shall she short should show showing side similar simple since single sir sister sit size small smaller so sold some somebody someone
something sometime somewhere son soon soonest sooner sorry sort sound sounds space spacious speak speaking specific spouse spring stairs start starting
state stay still stop storage store story street studio stuff such suit suits summer sunday sunny super suppose sure take taken talk talking
tell ten than thank thanks that that'd that'll that's the their them then there there's these they thing things think thinking third
this those though thought thousand through thursday time times to today together tomorrow tonight too top total touch tour town
townhome townhomes townhouse townhouses train trouble true try trying tuesday turn tv twice two type uh uhh um umm uncle under
understand unit units until up upstairs us use used usual usually very view viewing viewings visit wait walk wanna want wanted wanting
wants warm was washer watch water way we we'd we'll we're we've wednesday week weekday weekend weeks well went were what
what's whatever when when's whenever where where's wherever whether which while who who's whole whom why wide wife will
window windows winter wish with within without woman won't wonderful wondering work working works would wouldn't wow wrong yard
yeah year years yep yes yesterday yet you you'd you'll you're you've young your yours yup
seller rented leasing lease leases fix fixed exact weren't wasn't hasn't hadn't shouldn't cause
area areas district zone region neighborhoods vicinity block corner suburb suburbs anyways anyway hopefully currently recently
affording afford spend spending cap ceiling limit ballpark approximately somewhere pay paying dollar bucks dining
bungalow villa cottage mansion duplex loft penthouse residence dwelling pad condo's 
one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
twenty thirty forty fifty sixty seventy eighty ninety zero oh
o'clock ish sharp noon midday quarter
north south east west
cheapest biggest largest newest nicest smallest best closest finest prettiest quietest lowest highest oldest fewest most least
yellow white black red blue green brown gray grey wooden brick stone tile carpet hardwood granite stainless steel gas electric
heating heated cooling conditioning solar fenced gated elevator laundry dishwasher oven fridge shower tub closet closets attic
shed deck patio porch terrace rooftop view views ocean beach river mountain suburbs corner stories floors level levels
boss colleague coworker roommates 
sometime anyhow hopefully ideally preferably basically literally totally
welcome curious heard saw seen online website internet ad advert advertisement sign
interesting amazing charming attractive appealing promising cheers sounds worth visiting seeing address addresses text texting message messages sms write spanish english chinese language translate record recorded recording
allowed possible bring include included includes landlord tenant tenants lawyer credit score income utilities deposit fee fees hoa taxes tax insurance
inspection contract sign signing agency brokerage website app link photo photos picture pictures video virtual map directions bus transit highway airport
pregnant expecting married divorced widowed widow widower retired disabled disability blind deaf wheelchair accessible accessibility
wheelchairs ramp elevator muslim jewish christian catholic hindu buddhist religious church mosque synagogue temple gay lesbian straight
transgender trans hispanic latino latina latinx asian african american mexican indian nigerian russian arab immigrant immigrants
refugee veteran foreigner accent kids kid children child toddler newborn babies twins daughters sons grandmother grandfather grandma
grandpa elderly senior seniors voucher vouchers section assistance dog's guide service deaf hearing impaired bit friend accessible
ukrainian polish italian french german japanese korean vietnamese filipino cuban haitian somali ethiopian iranian turkish israeli
message messages mail emails callback transfer transferred someone somebody's details summary send sending tell told telling let pass
receptionist supervisor morning's continue keep going carry proceed reschedule postpone cancel cancelled cancelling
busy tired excited nervous serious sick worried hungry bored stuck stressed eager confident certain aware familiar unsure unable
running driving walking traveling relocating thinking wondering considering planning teaching studying teacher nurse doctor engineer student
gardening cooking drive drives use uses using go goes every these those days week new here there afraid lost late
yourself themselves herself himself nah okey dokey alrighty ya ye cool
january february march april june july august september october november december
";

static COMMON_WORDS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| COMMON.split_ascii_whitespace().collect());

/// Whether a word is part of ordinary talk about homes.
pub(super) fn is_common(word: &str) -> bool {
    let shortened = ["'d", "'ll", "'re", "'ve", "'m", "n't"].iter().any(|ending| word.ends_with(ending));
    shortened || COMMON_WORDS.contains(word) || word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Words that no name goes on beyond, even after "my name is".
pub(super) fn ends_name(word: &str) -> bool {
    matches!(
        word,
        "and"
            | "i"
            | "i'd"
            | "i'm"
            | "i'll"
            | "i've"
            | "my"
            | "the"
            | "a"
            | "an"
            | "calling"
            | "from"
            | "please"
            | "at"
            | "on"
            | "for"
            | "to"
            | "you"
            | "we"
            | "it's"
            | "it"
            | "that's"
            | "that"
            | "thanks"
            | "thank"
            | "looking"
            | "interested"
            | "here"
            | "speaking"
            | "with"
            | "but"
            | "so"
            | "by"
            | "in"
            | "is"
            | "not"
            | "no"
            | "yes"
            | "of"
            | "could"
            | "can"
            | "would"
            | "do"
            | "are"
            | "and'"
            | "number"
            | "phone"
            | "spelled"
            | "or"
            | "if"
            | "want"
            | "like"
            | "need"
            | "have"
            | "sorry"
            | "actually"
            | "what"
            | "how"
            | "when"
            | "where"
            | "your"
            | "this"
            | "there"
            | "then"
            | "again"
            | "tomorrow"
            | "today"
            | "ok"
            | "okay"
            | "um"
            | "uh"
            | "hi"
            | "hello"
            | "bye"
            | "goodbye"
            | "name"
            | "name's"
    )
}

/// Ordinary words that are also first names.
pub(super) fn can_be_first_name(word: &str) -> bool {
    matches!(
        word,
        "will"
            | "max"
            | "may"
            | "april"
            | "june"
            | "rose"
            | "grace"
            | "hope"
            | "mark"
            | "summer"
            | "august"
            | "christian"
            | "german"
            | "israel"
    )
}

/// Ordinary words that are also family names.
pub(super) fn can_be_family_name(word: &str) -> bool {
    matches!(
        word,
        "march"
            | "may"
            | "park"
            | "price"
            | "young"
            | "long"
            | "king"
            | "lake"
            | "rose"
            | "love"
            | "best"
            | "small"
            | "short"
            | "little"
            | "good"
            | "day"
            | "west"
            | "north"
            | "brown"
            | "white"
            | "black"
            | "green"
            | "gray"
            | "grey"
            | "stone"
            | "banks"
            | "cash"
            | "sharp"
            | "case"
            | "hall"
            | "garden"
            | "street"
            | "way"
            | "house"
            | "rivers"
            | "story"
            | "church"
            | "summer"
            | "winter"
            | "rich"
            | "hope"
            | "grace"
            | "light"
            | "moon"
    )
}

/// Words that end the name of a street.
pub(super) fn is_street_suffix(word: &str) -> bool {
    matches!(
        word,
        "street"
            | "st"
            | "avenue"
            | "ave"
            | "road"
            | "rd"
            | "lane"
            | "ln"
            | "drive"
            | "dr"
            | "court"
            | "ct"
            | "boulevard"
            | "blvd"
            | "way"
            | "place"
            | "circle"
            | "trail"
            | "terrace"
            | "parkway"
            | "row"
            | "walk"
            | "square"
            | "bend"
            | "highway"
            | "alley"
            | "crescent"
            | "loop"
            | "run"
            | "path"
            | "landing"
    )
}

/// Street endings that are not also ordinary words: enough to hear an address in words that are not known yet.
pub(super) fn is_plain_street_suffix(word: &str) -> bool {
    matches!(
        word,
        "street"
            | "avenue"
            | "ave"
            | "road"
            | "lane"
            | "drive"
            | "court"
            | "boulevard"
            | "blvd"
            | "terrace"
            | "parkway"
    )
}

/// Street endings that are also ordinary words: enough only behind a word that is none.
pub(super) fn is_soft_street_suffix(word: &str) -> bool {
    matches!(word, "bend" | "row" | "walk" | "landing" | "circle" | "trail" | "crescent" | "loop")
}

/// Words that make the number before them a count of something other than hours.
pub(super) fn is_unit(word: &str) -> bool {
    matches!(
        word,
        "bed"
            | "beds"
            | "bedroom"
            | "bedrooms"
            | "br"
            | "bd"
            | "bath"
            | "baths"
            | "bathroom"
            | "bathrooms"
            | "room"
            | "rooms"
            | "thousand"
            | "hundred"
            | "million"
            | "k"
            | "grand"
            | "dollars"
            | "dollar"
            | "bucks"
            | "day"
            | "days"
            | "week"
            | "weeks"
            | "month"
            | "months"
            | "year"
            | "years"
            | "minute"
            | "minutes"
            | "hour"
            | "people"
            | "kids"
            | "children"
            | "square"
            | "percent"
            | "of"
            | "point"
            | "car"
            | "story"
            | "or"
            | "floors"
            | "options"
            | "houses"
            | "homes"
            | "listings"
            | "places"
            | "adults"
            | "dogs"
            | "cats"
            | "times"
    )
}

/// Bedrooms, in the words that follow their number; longer ones first.
pub(super) const BEDROOM_WORDS: &str = "bed rooms, bed room, bedrooms, bedroom, beds, bed, br, bd, bedder";

/// Capitals for a name or an area: "o'brien" is "O'Brien".
pub(super) fn title_case(words: &str) -> String {
    let mut text = String::with_capacity(words.len());
    let mut start = true;
    for char in words.chars() {
        if start && char.is_alphabetic() {
            text.extend(char.to_uppercase());
            start = false;
        } else {
            text.push(char);
        }
        let prefix = matches!(text.rsplit(' ').next(), Some("O'" | "D'"));
        start |= char == ' ' || prefix;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_get_their_capitals() {
        assert_eq!(title_case("anna lee o'brien"), "Anna Lee O'Brien");
        assert_eq!(title_case("hyde park"), "Hyde Park");
        assert_eq!(title_case("anna's"), "Anna's");
    }

    #[test]
    fn common_words_are_no_names() {
        assert!(["looking", "house", "friday", "12"].iter().all(|word| is_common(word)));
        assert!(["anna", "riverside", "zilker"].iter().all(|word| !is_common(word)));
    }
}
