import QMPClient
import Testing

@Suite(.timeLimit(.minutes(1))) struct MailboxTests {
  @Test func `what was sent comes out in order, then nil after the end`() async {
    let mailbox = Mailbox<Int>()
    for number in 0..<5000 { #expect(mailbox.send(number)) }
    mailbox.finish()
    for number in 0..<5000 { #expect(await mailbox.next() == number) }
    #expect(await mailbox.next() == nil)
    #expect(!mailbox.send(1))
    #expect(await mailbox.next() == nil)
  }

  @Test func `a waiting consumer is woken by an element and by the end`() async {
    let mailbox = Mailbox<Int>()
    async let first = mailbox.next()
    mailbox.send(7)
    #expect(await first == 7)
    async let second = mailbox.next()
    mailbox.finish()
    #expect(await second == nil)
  }

  @Test func `poll never waits`() {
    let mailbox = Mailbox<Int>()
    #expect(mailbox.poll() == nil)
    mailbox.send(1)
    #expect(mailbox.poll() == 1)
    #expect(mailbox.poll() == nil)
  }

  @Test func `a consumer that never catches up gets everything`() async {
    let mailbox = Mailbox<Int>()
    for number in 0..<10 { mailbox.send(number) }
    for number in 0..<20_000 {
      mailbox.send(number + 10)
      #expect(mailbox.poll() == number)
    }
  }

  @Test func `cancellation ends the wait, and nothing is lost by it`() async {
    let mailbox = Mailbox<Int>()
    let consumer = Task { await mailbox.next() }
    consumer.cancel()
    #expect(await consumer.value == nil)
    mailbox.send(1)
    #expect(await mailbox.next() == 1)
  }

  @Test func `a consumer that is cancelled already gets what is there, and waits for nothing`()
    async
  {
    let mailbox = Mailbox<Int>()
    mailbox.send(1)
    let consumer = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return (await mailbox.next(), await mailbox.next())
    }
    #expect(await consumer.value == (1, nil))
  }

  @Test func `several consumers share the elements, each goes to one`() async {
    let mailbox = Mailbox<Int>()
    let sum = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask {
          var sum = 0
          while let number = await mailbox.next() { sum += number }
          return sum
        }
      }
      group.addTask {
        for number in 1...1000 { mailbox.send(number) }
        mailbox.finish()
        return 0
      }
      return await group.reduce(0, +)
    }
    #expect(sum == 500_500)
  }

  @Test func `senders, consumers and cancellations at the same time lose nothing`() async {
    let mailbox = Mailbox<Int>()
    let total = await withTaskGroup(of: Int.self) { group in
      for sender in 0..<4 {
        group.addTask {
          for number in 0..<500 {
            mailbox.send(sender * 500 + number)
            await Task.yield()
          }
          return 0
        }
      }
      group.addTask {
        var received = 0
        while received < 2000 {
          // Each consumer is cancelled as it waits, or as it is served.
          let consumer = Task { await mailbox.next() }
          await Task.yield()
          consumer.cancel()
          if await consumer.value != nil { received += 1 }
        }
        return received
      }
      return await group.reduce(0, +)
    }
    #expect(total == 2000)
    #expect(mailbox.poll() == nil)
  }
}
