use super::host::Talk;
#[test]
fn explore() {
    for block in std::fs::read_to_string("/tmp/rx/talks.txt").unwrap().split("\n\n") {
        println!("=====");
        let lines: Vec<&str> = block.lines().collect();
        let mut talk = Talk::new();
        for line in &lines {
            if talk.ended {
                println!("ENDED before {line}");
                break;
            }
            let a = talk.say(line);
            println!("> {line}\n    {a}");
        }
        for (n, a) in &talk.host.log {
            println!("      {n} {a}");
        }
    }
}
